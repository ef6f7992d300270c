"""A whole deployment without AWS: Terraform to an emulator, Helm to a real API server, stand-ins for the rest."""
