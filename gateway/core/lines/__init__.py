"""Lines to upstreams: sockets, connections that mend themselves, pools of them, and polling for those who have none."""
