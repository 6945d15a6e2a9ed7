"""A link that brings a collaborator to a page, with its samples and settings."""
