"""The pipeline that runs: Faust on Kafka, windows in Redis, facts looked up, alerts out."""
