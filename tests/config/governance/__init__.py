"""Who changed what of the detections: the ledger, changes in force, mutes and allow-lists."""
