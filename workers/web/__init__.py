"""The face to the outside: webhooks in, readiness, metrics, the API and a page for people."""
