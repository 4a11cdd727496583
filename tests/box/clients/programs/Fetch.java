// Fetch.java CLIENT: https://www.example.com:8443/ by HttpClient, HttpURLConnection or an SSLSocket, or an echo over UDP.

import java.io.FileInputStream;
import java.io.InputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

class Fetch {
    static final URI PAGE = URI.create("https://www.example.com:8443/");

    static SSLContext trustLab() throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (InputStream in = new FileInputStream(System.getenv("LAB_CERT"))) {
            store.setCertificateEntry("lab", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    static String client(SSLContext tls) throws Exception {
        HttpClient client = HttpClient.newBuilder().sslContext(tls).build();
        return client.send(HttpRequest.newBuilder(PAGE).build(), HttpResponse.BodyHandlers.ofString()).body();
    }

    static String connection(SSLContext tls) throws Exception {
        HttpsURLConnection connection = (HttpsURLConnection) PAGE.toURL().openConnection();
        connection.setSSLSocketFactory(tls.getSocketFactory());
        connection.setConnectTimeout(5000);
        connection.setReadTimeout(5000);
        try (InputStream body = connection.getInputStream()) {
            return new String(body.readAllBytes());
        }
    }

    static String socket(SSLContext tls) throws Exception {
        try (SSLSocket socket = (SSLSocket) tls.getSocketFactory().createSocket(PAGE.getHost(), PAGE.getPort())) {
            socket.setTcpNoDelay(true);
            socket.setKeepAlive(true);
            socket.setSoTimeout(5000);
            socket.setSoLinger(true, 1);
            socket.setTrafficClass(16);
            socket.setReuseAddress(true);
            socket.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes());
            return new String(socket.getInputStream().readAllBytes());
        }
    }

    static String datagram() throws Exception {
        byte[] data = "echo by UDP".getBytes();
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.setSoTimeout(30000);
            socket.send(new DatagramPacket(data, data.length, new InetSocketAddress(PAGE.getHost(), 7)));
            DatagramPacket answer = new DatagramPacket(new byte[100], 100);
            socket.receive(answer);
            return new String(answer.getData(), 0, answer.getLength());
        }
    }

    public static void main(String[] args) throws Exception {
        SSLContext tls = trustLab();
        switch (args[0]) {
            case "client": System.out.print(client(tls)); break;
            case "connection": System.out.print(connection(tls)); break;
            case "datagram": System.out.print(datagram()); break;
            default: System.out.print(socket(tls));
        }
    }
}
