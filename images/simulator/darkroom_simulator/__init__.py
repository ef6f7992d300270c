"""A runtime of our own that speaks the sdwebui, comfyui and OpenAI images APIs as real servers were recorded to do."""
