"""Shared by methods with a chat model: prompts, requests, and parsing of replies.

Any method may import it.
"""
