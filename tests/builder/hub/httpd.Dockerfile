# Apache, and the page that the image of that name shows; its log is the container's. The server itself gets the signals.
FROM base-debian
RUN apt-get update && apt-get install -y --no-install-recommends apache2 && rm -rf /var/lib/apt/lists/* && \
	echo 'ServerName localhost' >>/etc/apache2/apache2.conf && ln -sf /proc/self/fd/1 /var/log/apache2/access.log && \
	ln -sf /proc/self/fd/2 /var/log/apache2/error.log && echo '<html><body><h1>It works!</h1></body></html>' >/var/www/html/index.html && \
	printf '#!/bin/sh\n. /etc/apache2/envvars\nrm -f "$APACHE_PID_FILE"\nexec apache2 -D FOREGROUND\n' >/usr/local/bin/httpd-foreground && \
	mkdir -p /var/run/apache2 && chmod 755 /usr/local/bin/httpd-foreground
EXPOSE 80
STOPSIGNAL SIGWINCH
CMD ["httpd-foreground"]
