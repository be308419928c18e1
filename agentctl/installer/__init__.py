"""The half of install.sh that edits files; reached by `agentctl _install`."""
