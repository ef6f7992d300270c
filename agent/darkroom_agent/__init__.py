"""The asyncio agent that stands next to a runtime and carries jobs from its queue to their end."""
