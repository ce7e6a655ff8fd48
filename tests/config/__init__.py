"""The configuration: settings, topics, the register of systems, failpoints."""
