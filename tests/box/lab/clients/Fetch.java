// Fetch.java MODE URL: print what URL answers. MODE: blocking (HttpURLConnection) or nonblocking (HttpClient).

import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

class Fetch {
    static final int TIMEOUT = 5;

    static String blocking(URI uri) throws IOException {
        HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
        try (InputStream body = connection.getInputStream()) {
            return new String(body.readAllBytes());
        }
    }

    static String nonblocking(URI uri) throws IOException, InterruptedException {
        HttpClient client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(TIMEOUT)).build();
        HttpRequest request = HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(TIMEOUT)).build();
        return client.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    /** What the innermost exception that says something says. */
    static String message(Throwable error) {
        String inner = error.getCause() == null ? null : message(error.getCause());
        return inner != null ? inner : error.getMessage();
    }

    static void fail(String message) {
        System.err.println("error: " + message);
        System.exit(1);
    }

    public static void main(String[] args) throws InterruptedException {
        URI uri = URI.create(args[1]);
        Callable<String> fetch = () -> args[0].equals("blocking") ? blocking(uri) : nonblocking(uri);
        try {
            System.out.print(Executors.newSingleThreadExecutor().submit(fetch).get(TIMEOUT, TimeUnit.SECONDS));
            System.exit(0);
        } catch (ExecutionException e) {
            fail(message(e.getCause()) != null ? message(e.getCause()) : e.getCause().getClass().getSimpleName());
        } catch (TimeoutException e) {
            fail("timed out");
        }
    }
}
