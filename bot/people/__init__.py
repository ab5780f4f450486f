"""Who is where: accounts, places, memberships and roles."""
