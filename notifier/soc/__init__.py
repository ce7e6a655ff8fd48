"""Alerts out to the SOC: signed webhook, syslog, pages to the roster, each from a durable queue."""
