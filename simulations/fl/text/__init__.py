"""Texts as clients use them: tokenised once, cached, and cut into batches."""
