"""The demonstration: acts only through the sandbox's person pages, reads what arrived from the systems themselves."""
