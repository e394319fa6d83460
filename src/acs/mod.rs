//! The way to the ACS: an HTTP client with TLS, authentication, cookies and redirects.
