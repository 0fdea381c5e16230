"""The method: prompts, variance-aware generation, text-guided integration, normality guard."""
