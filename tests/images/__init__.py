"""The images, built and run by a real engine: the machine's own, or one of ours with stand-ins for the base images."""
