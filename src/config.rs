//! Typed settings from `/etc/config/cwmpd`.
