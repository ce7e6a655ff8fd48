"""The page on which a customer says whether it was them. It reads and changes the ledger alone."""
