"""What the auditor will ask for: sealed segments of every login, verdict and answer."""
