"""Shared by all benchmark families: objectives by name, checks of settings, texts for prompts.

Any family may import it.
"""
