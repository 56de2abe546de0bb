"""What methods with a chat model share: prompts, requests, and replies parsed.

Any method may import it.
"""
