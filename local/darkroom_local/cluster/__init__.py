"""A real Kubernetes cluster on one machine, from programs that are built here: no containers are needed to run it."""
