<?php
/**
 * A shop's backend in PHP. It creates an order, and learns from a signed webhook that the order is paid.
 *
 *   KEY=… WEBHOOK_SECRET=whsec_… php -S 127.0.0.1:8001 shop.php
 *
 * Then open http://127.0.0.1:8001/ . MERCHANT_SERVER names another address.
 * SHOP in a comment marks a part that a real shop replaces with its own. PHP 8.1, ext-curl.
 */

declare(strict_types=1);

ini_set('display_errors', 'stderr');
try {
    route($_SERVER['REQUEST_METHOD'], (string) parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
} catch (Throwable $fault) {
    error_log((string) $fault);
    answer(502, ['error' => 'the order could not be created']);
}

function route(string $method, string $path): void
{
    $order_no = str_starts_with($path, '/orders/') ? substr($path, strlen('/orders/')) : '';
    match (true) {
        "$method $path" === 'GET /' => show_page(),
        "$method $path" === 'POST /orders' => answer(201, create_order()),
        "$method $path" === 'POST /webhooks' => receive((string) file_get_contents('php://input')),
        $method === 'GET' && is_order($order_no) => answer(200, ['order_no' => $order_no, 'paid' => is_paid($order_no)]),
        default => answer(404, ['error' => 'no such page']),
    };
}

/** Creates an order. Its price comes from the shop and never from a browser. */
function create_order(): array
{
    $order_no = 'PHP-' . bin2hex(random_bytes(8));
    $merchant_server = merchant_server();
    $request = curl_init("$merchant_server/v1/orders");
    curl_setopt_array($request, [
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_HTTPHEADER => ['Authorization: Bearer ' . variable('KEY'), 'Content-Type: application/json'],
        CURLOPT_POSTFIELDS => json_encode(['order_no' => $order_no, 'total_fen' => 6910, 'description' => '云南小粒咖啡']),
    ]);
    $answer = (string) curl_exec($request);
    if (intdiv(curl_getinfo($request, CURLINFO_RESPONSE_CODE), 100) !== 2) {
        throw new RuntimeException("no order: $answer " . curl_error($request));
    }
    $token = json_decode($answer, true)['token'];
    file_put_contents(order_file($order_no), 'open');
    return ['order_no' => $order_no, 'token' => $token, 'merchant_api' => "$merchant_server/v1"];
}

/** Whether the merchant server signed these bytes within the last minutes (Standard Webhooks). */
function is_signed(string $id, string $timestamp, string $signatures, string $body): bool
{
    $secret = (string) base64_decode(substr(variable('WEBHOOK_SECRET'), strlen('whsec_')), true);
    $signature = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $secret, true));
    // While a secret is changed, there are two signatures, with a blank between them.
    $is_right = false;
    foreach (explode(' ', $signatures) as $given) {
        $is_right = hash_equals($signature, $given) || $is_right;
    }
    return $secret !== '' && $is_right && ctype_digit($timestamp) && abs(time() - (int) $timestamp) <= 300;
}

/** Takes a message of the merchant server's. It needs the raw body: a signature covers its bytes. */
function receive(string $body): void
{
    [$id, $timestamp, $signatures] = array_map(
        fn (string $name): string => $_SERVER[$name] ?? '',
        ['HTTP_WEBHOOK_ID', 'HTTP_WEBHOOK_TIMESTAMP', 'HTTP_WEBHOOK_SIGNATURE'],
    );
    if (!is_signed($id, $timestamp, $signatures, $body)) {
        answer(401, ['error' => 'the message is not signed']);
        return;
    }
    ['type' => $type, 'data' => $data] = json_decode($body, true, flags: JSON_THROW_ON_ERROR);
    $order_no = $data['order_no'] ?? '';
    // A message can come twice, and an order is delivered once.
    if ($type === 'payment.succeeded' && is_order($order_no) && !is_paid($order_no)) {
        file_put_contents(order_file($order_no), 'paid'); // SHOP: deliver the order here.
    }
    http_response_code(204);
}

/** SHOP: your own page. Here each visit creates an order. */
function show_page(): void
{
    $page = (string) file_get_contents(__DIR__ . '/../../html/index.html');
    $values = ['TOKEN' => htmlspecialchars(create_order()['token']), 'https://pay.shop.example' => merchant_server()];
    header('Cache-Control: no-store');
    header('Content-Type: text/html; charset=utf-8');
    echo strtr($page, $values);
}

function answer(int $status, array $fields): void
{
    http_response_code($status);
    header('Cache-Control: no-store');
    header('Content-Type: application/json');
    echo json_encode($fields, JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR);
}

function merchant_server(): string
{
    return getenv('MERCHANT_SERVER') ?: 'http://127.0.0.1:8080';
}

/** A required variable of the environment. */
function variable(string $name): string
{
    return getenv($name) ?: throw new RuntimeException("$name is not set");
}

// ---- SHOP: your table of orders. Here each order is a file, because PHP keeps nothing between two requests.

function order_file(string $order_no): string
{
    $folder = getenv('ORDERS') ?: sys_get_temp_dir() . '/wechat-pay-example-orders';
    is_dir($folder) || mkdir($folder, 0700, true);
    return "$folder/$order_no";
}

function is_order(string $order_no): bool
{
    // The number becomes the name of a file, so it must have the form that this shop gave it.
    return preg_match('/\APHP-[0-9a-f]{16}\z/', $order_no) === 1 && is_file(order_file($order_no));
}

function is_paid(string $order_no): bool
{
    return file_get_contents(order_file($order_no)) === 'paid';
}
