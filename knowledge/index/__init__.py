"""The vector index: one protocol, two implementations (embedded Qdrant in a worker process, Qdrant server)."""
