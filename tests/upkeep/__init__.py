"""What make verbs ask of the project itself: licences, advisories, coverage, releases."""
