"""How well campaigns and takeovers are caught, beside two peers, against a ledger of truth."""
