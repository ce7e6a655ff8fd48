"""How it is installed and started: embedded servers, compose, Helm, systemd, runbooks."""
