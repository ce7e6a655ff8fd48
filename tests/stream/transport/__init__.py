"""The batched transport against a real broker: what is committed was done, whatever happens."""
