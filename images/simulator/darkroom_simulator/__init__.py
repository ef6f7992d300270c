"""A runtime of our own that speaks the sdwebui and comfyui APIs as real servers were recorded to do."""
