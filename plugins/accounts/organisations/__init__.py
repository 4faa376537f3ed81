"""Organisations: members, roles, invitations, deletion and export."""
