"""What runs used, did and cost: the same figures from every process."""
