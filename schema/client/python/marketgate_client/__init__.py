"""Client of a Marketgate gateway; `marketgate_client.webhooks` verifies what its webhooks bring."""
