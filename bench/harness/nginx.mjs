// The peer: Debian's nginx with one worker, on the server's core.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { Failure, freePort, serverCore, sleep, spawnOn, stop, waitForStatus200 } from './machine.mjs';

export class Nginx {
    // `folder`: its own. `files`: what it serves. `answer`: the body of `return 200`.
    constructor(folder, files, tls, answer = 'ok') {
        this.folder = folder;
        this.files = files;
        this.tls = tls;
        this.answer = answer;
        this.uploads = path.join(folder, 'uploads');
    }

    async start() {
        for (const name of ['uploads', 'body', 'other']) {
            fs.mkdirSync(path.join(this.folder, name), { recursive: true });
        }
        this.ports = {
            sendfile: await freePort(), copy: await freePort(), large: await freePort(),
            tls: await freePort(),
        };
        const config = path.join(this.folder, 'nginx.conf');
        fs.writeFileSync(config, this.configuration());
        const log = path.join(this.folder, 'error.log');
        const environment = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
        this.child = spawnOn(serverCore, 'nginx', ['-p', this.folder, '-c', config, '-e', log], {
            stdio: 'ignore', env: environment,
        });
        try {
            await waitForStatus200(`http://${this.target('sendfile')}/answer`, this.child,
                `nginx (see ${log})`);
            await this.findWorker();
        } catch (error) {
            this.child.kill('SIGTERM');
            throw error;
        }
        return this;
    }

    async findWorker() {
        for (let tries = 0; tries < 100; ++tries) {
            const master = this.child.pid;
            const children = fs.readFileSync(`/proc/${master}/task/${master}/children`, 'utf8').trim();
            if (/^\d+$/.test(children)) {
                this.pid = Number(children);
                return;
            }
            await sleep(10);
        }
        throw new Failure('nginx has no worker');
    }

    async stop() {
        await stop(this.child, 'SIGQUIT', 'nginx');
    }

    target(server) {
        return `127.0.0.1:${this.ports[server]}`;
    }

    // tcp_nopush stays off: on loopback it makes nginx more than twice as dear.
    configuration() {
        const user = process.getuid() === 0 ? `user ${os.userInfo().username} root;` : '';
        const other = ['proxy', 'fastcgi', 'uwsgi', 'scgi']
            .map((each) => `${each}_temp_path ${this.folder}/other;`).join(' ');
        const answer = this.answer.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
        return `${user}
worker_processes 1;
daemon off;
pid ${this.folder}/nginx.pid;
error_log ${this.folder}/error.log warn;
events { worker_connections 8192; }
http {
    access_log off;
    default_type application/octet-stream;
    keepalive_requests 1000000000;
    keepalive_timeout 300s;
    tcp_nopush off;
    tcp_nodelay on;
    client_max_body_size 200m;
    client_body_temp_path ${this.folder}/body;
    ${other}
    root ${this.files};
    server {
        listen 127.0.0.1:${this.ports.sendfile};
        sendfile on;
        location /uploads/ { root ${this.folder}; dav_methods PUT; }
        location = /answer { default_type application/json; return 200 '${answer}'; }
    }
    server { listen 127.0.0.1:${this.ports.copy}; sendfile off; }
    server { listen 127.0.0.1:${this.ports.large}; sendfile off; output_buffers 1 512k; }
    server {
        listen 127.0.0.1:${this.ports.tls} ssl;
        sendfile on;
        ssl_certificate ${this.tls.cert};
        ssl_certificate_key ${this.tls.key};
        ssl_protocols TLSv1.3;
        ssl_conf_command Ciphersuites TLS_AES_256_GCM_SHA384;
    }
}
`;
    }
}
