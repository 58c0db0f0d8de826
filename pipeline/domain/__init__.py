"""Pure rules: 'now', ids and jitter are arguments."""
