"""The method: keyword-to-prompt, variance-aware generation, text-guided integration, normality guard."""
