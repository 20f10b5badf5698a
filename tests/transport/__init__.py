"""The native transport and httpx's own, one beside the other, over real sockets."""
