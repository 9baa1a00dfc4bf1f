// As the package's README says: pre-bundling would move the script away from its files.
export default { optimizeDeps: { exclude: ["wechat-pay-widget"] } };
