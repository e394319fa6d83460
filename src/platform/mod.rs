//! The system underneath: files, UCI, ubus, programs.
