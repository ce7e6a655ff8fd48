"""`loginward run incidents`: alerts in, campaigns out, while they go on."""
