"""The meter: counts in memory, hourly rollups, quotas."""
