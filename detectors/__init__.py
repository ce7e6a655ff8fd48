"""The pure core: login events, what to count about them, and the rules that judge."""
