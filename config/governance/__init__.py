"""Who changed what of the detections, when, why and with whose approval: one chained ledger."""
