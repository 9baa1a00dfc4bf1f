export const metadata = { title: "云南小粒咖啡", icons: "data:," };

export default function Layout({ children }) {
  return (
    <html lang="zh-CN">
      <body>{children}</body>
    </html>
  );
}
