"""Every chat platform of Chatport in Grafana OnCall, with one connector and no file of OnCall changed."""
