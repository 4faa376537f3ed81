"""Plans: what each allows and costs."""
