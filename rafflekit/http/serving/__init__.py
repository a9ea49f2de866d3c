"""The two servers, waitress and Granian, and the sockets that they listen on."""
