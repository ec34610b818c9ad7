from connectors.admin import connector, method

__all__ = ["connector", "method"]
