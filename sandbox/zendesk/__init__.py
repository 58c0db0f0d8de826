"""A Zendesk Support account in memory: the API, its traps, its webhooks and pages for people."""
