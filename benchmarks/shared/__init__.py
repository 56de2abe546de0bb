"""What every benchmark family needs: objectives by name, checks of settings, texts for prompts.

Any family may import it.
"""
