'use strict';

const express = require('express');

const port = Number(process.env.PORT || 8080);
const address = process.env.ADDRESS || '0.0.0.0';
const app = express();

app.get('/', (request, response) => {
	response.type('text/plain').send('Hello from the lowest deck\n');
});

const server = app.listen(port, address, () => {
	console.log(`listening on http://${address}:${server.address().port}`);
});

// The first process of a container gets no default handlers: without this a stop would wait.
for (const signal of ['SIGINT', 'SIGTERM'])
	process.on(signal, () => server.close(() => process.exit(0)));
