"""What agent, API and command line agree on: job messages, job documents, notifications. No I/O."""
