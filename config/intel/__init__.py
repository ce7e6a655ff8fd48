"""Threat intelligence: bulletins read, screened, kept in a chained ledger, judged by as-of."""
