"""Working orders: accounts in memory, prices that stream, and the transactions in which one meets the other."""
